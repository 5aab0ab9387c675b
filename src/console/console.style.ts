import { FRAME_STYLE } from './frame.style.js';
import { PARTS_STYLE } from './parts.style.js';

/** Shared by all pages, and bound by its hash. */
export const STYLE = FRAME_STYLE + PARTS_STYLE;
