/** Progress on stderr: what is done, and how long it has taken. */
export function sayer(): (what: string) => void {
  const began = performance.now();
  return (what) => {
    process.stderr.write(`${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s  ${what}\n`);
  };
}
