use bot_metrics::prelude::*;
use std::pin::Pin;

trait Endpoint {
    type Output;
}

struct Client;

impl Client {
    #[exchange_call(op = "place_order")]
    fn issue<'a, R: Endpoint>(
        &'a self,
        text: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<R::Output, String>> + 'a>> {
        if text.is_empty() {
            return Box::pin(async move { Err("empty".to_owned()) });
        }
        Box::pin(async move { Err(text.to_owned()) })
    }

    #[exchange_call(op = "place_order")]
    fn issue_as_the_compiler_advises<'a, R: Endpoint>(
        &'a self,
        text: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<R::Output, String>> + 'a>>
    where
        R::Output: 'a,
    {
        if text.is_empty() {
            return Box::pin(async move { Err("empty".to_owned()) });
        }
        Box::pin(async move { Err(text.to_owned()) })
    }
}

fn main() {}
