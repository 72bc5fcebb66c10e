//! What a test knows of the threads that it has started.

use crate::schedule;
use crate::state::{Caller, Goal, Life, Run, TestThread};
use std::time::Instant;

impl Run {
    pub(crate) fn thread_starts(&self, started: Caller) -> usize {
        let mut state = self.lock();
        state.threads.push(TestThread {
            started,
            life: Life::Running,
            joined: false,
            actor: 0,
            system_id: None,
        });
        state.threads.len() - 1
    }

    pub(crate) fn thread_runs(&self, number: usize, actor: u64) {
        let system_id = if self.is_explored() {
            schedule::system_id()
        } else {
            None
        };
        let mut state = self.lock();
        state.threads[number].actor = actor;
        state.threads[number].system_id = system_id;
    }

    pub(crate) fn thread_ends(&self, number: usize, panicked: Option<String>) {
        let mut state = self.lock();
        state.threads[number].life = panicked.map_or(Life::Ended, Life::Panicked);
        state.moved = Instant::now();
        self.notify(&mut state);
    }

    pub(crate) fn thread_joined(&self, number: usize) {
        self.lock().threads[number].joined = true;
    }

    #[track_caller]
    pub(crate) fn join(&self, number: usize, at: Caller) {
        self.wait(&Goal::Thread(number), "the end of a thread", at);
    }
}
