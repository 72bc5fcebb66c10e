hotprobe::event! {
    /// About to greet `who`.
    pub static HELLO: fn(who: &str);
    static TICK: fn();
}

fn main() {
    hotprobe::fire!(HELLO, "JP");
    hotprobe::fire!(TICK);
}
