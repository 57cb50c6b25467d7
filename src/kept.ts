// A configuration that is read from variables once, not at each request.

/**
 * Reads again when a variable that was read has another value, and after a
 * reading that threw.
 */
export function kept<E extends object, T>(read: (env: E) => T): (env: E) => T {
  let last: { readonly result: T; readonly values: readonly [PropertyKey, unknown][] } | undefined;
  return (env) => {
    if (last?.values.every(([name, value]) => Reflect.get(env, name) === value)) {
      return last.result;
    }
    const values = new Map<PropertyKey, unknown>();
    const watched = new Proxy(env, {
      get(target, name) {
        const value = Reflect.get(target, name);
        values.set(name, value);
        return value;
      },
    });
    last = undefined;
    last = { result: read(watched), values: [...values] };
    return last.result;
  };
}
