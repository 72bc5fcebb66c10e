#![deny(unused_must_use)]

hotprobe::event! {
    static HELLO: fn(who: &str);
}

fn main() {
    HELLO.attach(|who| println!("{who}")).leak();
    let _probe = HELLO.attach_with(hotprobe::ProbeOptions::new(), |who| println!("{who}"));
}
