hotprobe::event! {
    static SPLIT: for<'a> fn(whole: &'a str, part: &'a str);
}

fn main() {}
