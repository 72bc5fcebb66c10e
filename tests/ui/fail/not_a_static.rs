hotprobe::event! {
    pub fn hello(who: &str);
}

fn main() {}
