struct Mine;

impl hotprobe::TypedSpan for Mine {
    type Begin = dyn Fn();
    type End = dyn Fn();
    type Guard = ();
}

fn main() {}
