hotprobe::event! {
    static LOGIN: fn(user: &str, #[secret] token: &str);
}

fn main() {}
