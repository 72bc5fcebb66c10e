hotprobe::event! {
    static HELLO: fn(who: &str);
}

use std::rc::Rc;

fn main() {
    let greeting: Rc<str> = "Hello".into();
    let probe = HELLO.attach(move |who| println!("{greeting} {who}"));
    HELLO.fire("JP");
    drop(probe);
}
