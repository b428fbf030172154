/** How bitpath's own export calls things. */

/** True where `name` is that of a helper that the export made for the node `owner`: `owner/op`, or with a number where that was taken. */
export function isHelper(name: string, owner: string | undefined, op: string): boolean {
  const prefix = `${owner}/${op}`;
  return owner !== undefined && name.startsWith(prefix) && /^(_\d+)?$/.test(name.slice(prefix.length));
}

/** True for the tensor that has a parameter's role as the end of its name, or a number after it where that was taken. */
export function hasRole(name: string, role: string): boolean {
  return new RegExp(`\\.${role}(_\\d+)?$`).test(name);
}
