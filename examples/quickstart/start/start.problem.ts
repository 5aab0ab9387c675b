/** Why the quickstart cannot start, in words for the person at the terminal. */
export class StartProblem extends Error {}
