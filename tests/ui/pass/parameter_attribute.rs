hotprobe::event! {
    static LOGIN: fn(user: &str, #[redact] token: &str);
}

fn main() {}
