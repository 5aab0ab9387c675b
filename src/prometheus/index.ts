export { prometheusMetrics, PrometheusMetrics } from './prometheus.metrics.js';
