hotprobe::event! {
    static HELLO: fn(who: &str);
}

use std::sync::Arc;

fn main() {
    let greeting: Arc<str> = "Hello".into();
    let probe = HELLO.attach(move |who| println!("{greeting} {who}"));
    HELLO.fire("JP");
    drop(probe);
}
