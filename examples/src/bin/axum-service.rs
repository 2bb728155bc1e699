//! Axum service: status page, health and metrics served by a bot's existing HTTP service, without a second port.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bot_metrics::prelude::*;
use bot_metrics::server::MetricsService;
use bot_metrics_examples::demo::{self, CommonOptions, Demo, Failure};
use bot_metrics_examples::exchange::{ExchangeSettings, PaperExchange};
use bot_metrics_examples::recording::Recording;

/// State shared by the service's handlers.
#[derive(Clone)]
struct Service {
    http: reqwest::Client,
    exchange: Arc<PaperExchange>,
}

impl Service {
    #[exchange_call(op = "get_ticker", exchange = "paper")]
    async fn get_ticker(&self, symbol: &str) -> Result<String, reqwest::Error> {
        let url = format!("{}/api/v3/ticker/bookTicker", self.exchange.url());
        self.http.get(url).query(&[("symbol", symbol)]).send().await?.error_for_status()?.text().await
    }
}

fn router(service: Service, metrics: &MetricsService) -> Router {
    Router::new()
        .route("/", get(|| async { "GET /quote/BTCUSDT, /status/, /metrics, /-/healthy, /-/ready\n" }))
        .route("/quote/{symbol}", get(quote))
        .route_service("/metrics", metrics.clone())
        .route_service("/-/healthy", metrics.clone())
        .route_service("/-/ready", metrics.clone())
        .nest_service("/status", metrics.clone())
        .with_state(service)
}

async fn quote(State(service): State<Service>, Path(symbol): Path<String>) -> Result<Response, Unwell> {
    let ticker = service.get_ticker(&symbol).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], ticker).into_response())
}

/// The reason why a request failed.
#[derive(Debug, thiserror::Error)]
enum Unwell {
    #[error("the exchange: {0}")]
    Exchange(#[from] reqwest::Error),
}

impl IntoResponse for Unwell {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Exchange(error) if error.status() == Some(reqwest::StatusCode::BAD_REQUEST) => {
                StatusCode::NOT_FOUND
            }
            Self::Exchange(_) => StatusCode::BAD_GATEWAY,
        };
        (status, format!("{self}\n")).into_response()
    }
}

async fn run(options: CommonOptions) -> Result<(), Failure> {
    let metrics = demo::settings()?.install()?;
    let address = options.metrics.address(&metrics);
    let demo = Demo::start(options)?;
    let settings =
        ExchangeSettings { delay_seed: Some(42), ..ExchangeSettings::new(Arc::new(Recording::embedded()?)) };
    let exchange = Arc::new(PaperExchange::start(settings).await?);
    // Requests to the loopback exchange must not go through a proxy from the environment.
    let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy().build()?;
    // Without its port the service is of no use, so a failure to bind ends it.
    let listener = tokio::net::TcpListener::bind(&address)
        .await
        .map_err(|error| format!("cannot serve on {address}: {error}"))?;
    let address = demo::reachable(listener.local_addr()?);
    demo::say(format_args!("status page at http://{address}/status/"));
    demo::say(format_args!("service at http://{address}/quote/BTCUSDT, metrics at http://{address}/metrics"));
    let service = router(Service { http, exchange }, &metrics.service()?);
    Ok(axum::serve(listener, service).with_graceful_shutdown(async move { demo.end().await }).await?)
}

/// An axum service that quotes prices and serves its metrics and its status page on the same port.
#[derive(clap::Parser)]
struct Options {
    #[command(flatten)]
    common: CommonOptions,
}

fn main() -> ExitCode {
    demo::main(|options: Options| tokio::runtime::Runtime::new()?.block_on(run(options.common)))
}
