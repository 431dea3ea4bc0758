// What was typed or unlocked in this session, in memory only, so that a reconnect asks nothing again.
export class SecretCache {}
