// What tests use of the setup.
export const electronDist: string;
export function electronBinary(): string | null;
