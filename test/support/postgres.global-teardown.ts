/** Ends the server that the global setup started; it removes its own folder. */
export default async function stopPostgres(): Promise<void> {
  await globalThis.notionAuthTestPostgres?.stop();
}
