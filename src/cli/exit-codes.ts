/** Everything is as it should be. */
export const EXIT_OK = 0;
/** Something is not, or could not be done. */
export const EXIT_FAILED = 1;
/** The command line itself is wrong. */
export const EXIT_USAGE = 2;
