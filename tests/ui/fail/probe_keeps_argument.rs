hotprobe::event! {
    static HELLO: fn(who: &str);
}

use std::sync::Mutex;

static SEEN: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

fn main() {
    let probe = HELLO.attach(|who| SEEN.lock().unwrap().push(who));
    HELLO.fire("JP");
    drop(probe);
}
