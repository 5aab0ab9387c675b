export {
  NotionAuthHealthIndicator,
  type ReadinessOptions,
  type RefreshHealthOptions,
} from './notion-auth.health.js';
export { MINIMUM_SAMPLES, type RefreshRate, type RefreshRateState } from './refresh-rate.js';
