hotprobe::event! {
    struct Hello { who: &str }
}

fn main() {}
