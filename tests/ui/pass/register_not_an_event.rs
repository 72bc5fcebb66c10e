hotprobe::event! {
    static HELLO: fn();
}

hotprobe::register!(self::HELLO);

fn main() {}
