struct Value(u8);

hotprobe::event! {
    static STORED: fn(value: &self::Value);
}

fn main() {
    STORED.fire(&Value(1));
    hotprobe::fire!(STORED, &Value(2));
}
