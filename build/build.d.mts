// What tests use of the build.
export function buildMain(out?: string): Promise<void>;
export function buildWindow(out?: string): Promise<void>;
export function build(parts?: { main?: boolean; window?: boolean }): Promise<void>;
