// A hook for Node's loader: the language service imports JSON without saying so, for bundlers.
export async function load(url, context, next) {
  const isJson = url.endsWith(".json");
  return next(url, isJson ? { ...context, importAttributes: { type: "json" } } : context);
}
