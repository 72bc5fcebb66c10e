use std::sync::Mutex;

hotprobe::event! {
    static HELLO: fn(who: &str);
}

fn main() {
    let lengths = Mutex::new(Vec::new());
    let probe = HELLO.attach(move |who| lengths.lock().unwrap().push(who.len()));
    HELLO.fire("JP");
    drop(probe);
}
