hotprobe::event! {
    static EDIT: fn(text: &mut String);
}

fn main() {}
