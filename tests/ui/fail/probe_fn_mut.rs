hotprobe::event! {
    static HELLO: fn(who: &str);
}

fn main() {
    let mut lengths = Vec::new();
    let probe = HELLO.attach(move |who| lengths.push(who.len()));
    HELLO.fire("JP");
    drop(probe);
}
