// What ssh2's types leave out.
declare module 'ssh2/lib/protocol/constants.js' {
  const constants: Record<
    'SUPPORTED_SERVER_HOST_KEY' | 'SUPPORTED_CIPHER' | 'SUPPORTED_KEX' | 'SUPPORTED_MAC',
    readonly string[]
  >;
  export default constants;
}
