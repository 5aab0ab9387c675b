export { openTelemetryMetrics, OpenTelemetryMetrics } from './open-telemetry.metrics.js';
export { openTelemetryTracing, OpenTelemetryTracing } from './open-telemetry.tracing.js';
