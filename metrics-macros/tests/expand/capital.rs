#[capital_check(profile = self.id, crate = metrics)]
async fn check(&self) -> Result<Capital, BotError> {
    self.account().await?.capital()
}
