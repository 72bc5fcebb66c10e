struct Hello;

hotprobe::register!(Hello);

fn main() {}
