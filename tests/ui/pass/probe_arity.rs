hotprobe::event! {
    static HELLO: fn(who: &str);
}

fn main() {
    let probe = HELLO.attach(|who| println!("{who}"));
    drop(probe);
}
