"""Every method on equal terms: what eighteen ways to learn a second task keep of the first, pair of tasks by pair."""
