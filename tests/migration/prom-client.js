// The seed's nine families as a Node bot has them with prom-client 15.1.3; its output is prom-client.prom:
//   npm install prom-client@15.1.3 && node prom-client.js > prom-client.prom
const client = require('prom-client');

const register = new client.Registry();
register.setDefaultLabels({
  env: process.env.NODE_ENV === 'production' ? 'production' : 'development',
  mode: process.env.PAPER_TRADING === 'true' ? 'paper' : 'live',
  app: 'bytelyst-trading-bot-service',
});
const registers = [register];

const events = new client.Counter({
  name: 'bytelyst_bot_operational_events_total',
  help: 'Cumulative count of system events (orders, errors, warnings).',
  labelNames: ['severity', 'type', 'profile_id', 'symbol'],
  registers,
});
const duration = new client.Histogram({
  name: 'bytelyst_bot_subsystem_duration_seconds',
  help: 'Execution time for core loops.',
  labelNames: ['subsystem'],
  buckets: [0.1, 0.25, 0.5, 1, 2, 5, 10],
  registers,
});
const lastRun = new client.Gauge({
  name: 'bytelyst_bot_subsystem_last_run_timestamp',
  help: 'Unix timestamp of the last successful subsystem run.',
  labelNames: ['subsystem'],
  registers,
});
const alive = new client.Gauge({
  name: 'bytelyst_bot_subsystem_alive',
  help: '1 when a subsystem is fresh, 0 when stalled.',
  labelNames: ['subsystem'],
  registers,
});
const latency = new client.Histogram({
  name: 'bytelyst_bot_exchange_api_latency_seconds',
  help: 'Latency of external API calls to the exchange.',
  labelNames: ['exchange', 'operation'],
  registers,
});
const violations = new client.Counter({
  name: 'bytelyst_bot_capital_invariant_violations_total',
  help: 'Times available capital fell below zero for a profile.',
  labelNames: ['profile_id'],
  registers,
});
const utilization = new client.Gauge({
  name: 'bytelyst_bot_profile_utilization_percent',
  help: 'Percentage of allocated capital in use.',
  labelNames: ['profile_id'],
  registers,
});
const mismatches = new client.Counter({
  name: 'bytelyst_bot_reconciliation_mismatches_total',
  help: 'Mismatches between local state and exchange state.',
  registers,
});
const missing = new client.Gauge({
  name: 'bytelyst_bot_reconciliation_missing_items_count',
  help: 'Missing orders and positions in the last sync cycle.',
  labelNames: ['source'],
  registers,
});

// One of everything.
events.inc({ severity: 'ERROR', type: 'ORDER_FAILURE', profile_id: 'maker', symbol: 'BTCUSDT' });
duration.observe({ subsystem: 'trading' }, 0.3);
lastRun.set({ subsystem: 'trading' }, 1742944020);
alive.set({ subsystem: 'trading' }, 1);
latency.observe({ exchange: 'binance', operation: 'place_order' }, 0.04);
violations.inc({ profile_id: 'maker' });
utilization.set({ profile_id: 'maker' }, 120);
mismatches.inc();
missing.set({ source: 'db' }, 1);
missing.set({ source: 'exchange' }, 0);

register.metrics().then((text) => process.stdout.write(text));
