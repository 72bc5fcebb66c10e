hotprobe::event! {
    static HELLO: fn();
}

hotprobe::register!(crate::HELLO);

fn main() {}
