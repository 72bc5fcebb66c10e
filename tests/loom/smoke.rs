use loom::thread;

hotprobe::event! { static E: fn(n: u64); }

#[test]
fn fire_against_detach() {
    loom::model(|| {
        let e = E::new();
        let p = e.attach(|_| ());
        let t = thread::spawn(move || e.fire(1));
        p.detach();
        t.join().unwrap();
    });
}
