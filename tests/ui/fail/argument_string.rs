hotprobe::event! {
    static HELLO: fn(who: String);
}

fn main() {
    let probe = HELLO.attach(|who| println!("{who}"));
    hotprobe::fire!(HELLO, String::from("JP"));
    probe.leak();
}
