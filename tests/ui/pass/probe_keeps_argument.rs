hotprobe::event! {
    static HELLO: fn(who: &str);
}

use std::sync::Mutex;

static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn main() {
    let probe = HELLO.attach(|who| SEEN.lock().unwrap().push(who.to_owned()));
    HELLO.fire("JP");
    drop(probe);
}
