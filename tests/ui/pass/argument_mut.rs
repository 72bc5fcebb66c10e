hotprobe::event! {
    static EDIT: fn(text: &String);
}

fn main() {}
