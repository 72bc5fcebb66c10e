hotprobe::event! {
    static HELLO: fn(who: &str);
}

fn main() {
    let greeting = String::from("Hello");
    let probe = HELLO.attach(|who| println!("{greeting} {who}"));
    HELLO.fire("JP");
    drop(probe);
}
