#[operational_event(type = "ORDER_FAILURE", severity = "ERROR", on = err, profile = self.id)]
#[timed_subsystem("trading")]
#[instrument(skip_all)]
fn place<'a>(&'a self, order: Order) -> Pin<Box<dyn Future<Output = Result<u64, ApiError>> + 'a>> {
    Box::pin(async move {
        let __self = self;
        let order = order;
        __self.send(order).await
    })
}
