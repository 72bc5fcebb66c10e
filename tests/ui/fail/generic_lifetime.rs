hotprobe::event! {
    static SPLIT: fn<'a>(whole: &'a str, part: &'a str);
}

fn main() {}
