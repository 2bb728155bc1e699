#[timed_subsystem("trading", every = "5s")]
pub fn trading_cycle(&mut self, mut quantity: u32) {
    #![allow(clippy::unwrap_used)]
    self.quantity = quantity;
}
