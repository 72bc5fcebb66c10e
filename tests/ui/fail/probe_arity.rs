hotprobe::event! {
    static HELLO: fn(who: &str);
}

fn main() {
    let probe = HELLO.attach(|who, when| println!("{who} {when}"));
    drop(probe);
}
