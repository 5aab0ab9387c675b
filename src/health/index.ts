export { NotionAuthHealthIndicator } from './notion-auth.health.js';
export { MINIMUM_SAMPLES, type RefreshRate, type RefreshRateState } from './refresh-rate.js';
