// The real servers of the AT Protocol in one process, on loopback alone: PLC directory, PDS, bsync and Bluesky's AppView
// (indexer, data plane, API). Nothing outlives it: every start is a new network with new accounts.
// tests/lab/bluesky.py prepares the environment and reads what this writes to LAB_STATE/endpoints.json.
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import process from 'node:process'

// None of the packages can be told where to listen, and their default is every interface.
const listenAnywhere = net.Server.prototype.listen
net.Server.prototype.listen = function listenOnLoopback(...args) {
  const port = typeof args[0] === 'object' ? args[0]?.port : args[0]
  if (port === undefined || !/^\d+$/.test(String(port))) return listenAnywhere.apply(this, args)
  const done = args.filter((each) => typeof each === 'function')
  return listenAnywhere.call(this, { port: Number(port), host: '127.0.0.1' }, ...done)
}

const { LAB_STATE: state, LAB_DATABASE: dbUrl, LAB_PORT: firstPort } = process.env
const [plcPort, pdsPort, appviewPort, bsyncPort, dataplanePort] = [0, 1, 2, 3, 4].map((n) => Number(firstPort) + n)
const at = (port) => `http://localhost:${port}` // a PDS refuses addresses that are a bare number
const hex = (bytes) => randomBytes(bytes).toString('hex')

// Read when the packages are loaded, so it stands before the imports.
Object.assign(process.env, { LOG_ENABLED: 'true', LOG_LEVEL: 'warn', LOG_DESTINATION: path.join(state, 'services.log') })
const [{ default: pg }, plcServer, plc, { Secp256k1Keypair }, bsync, bsky, { PDS, envToCfg, envToSecrets }] =
  await Promise.all(
    ['pg', '@did-plc/server', '@did-plc/lib', '@atproto/crypto', '@atproto/bsync', '@atproto/bsky', '@atproto/pds'].map(
      (name) => import(name),
    ),
  )

// ---- directory -------------------------------------------------------------------------------------------------------
const schemas = new pg.Client({ connectionString: dbUrl })
await schemas.connect()
for (const name of ['plc', 'bsync', 'appview']) await schemas.query(`create schema ${name}`)
await schemas.end()
const plcDb = plcServer.Database.postgres({ url: dbUrl, schema: 'plc' })
await plcDb.migrateToLatestOrThrow()
await plcServer.PlcServer.create({ db: plcDb, port: plcPort }).start()

// ---- AppView ---------------------------------------------------------------------------------------------------------
const appviewKey = await Secp256k1Keypair.create()
const birth = await plc.signOperation(
  {
    type: 'plc_operation',
    rotationKeys: [appviewKey.did()],
    verificationMethods: { atproto: appviewKey.did() },
    alsoKnownAs: ['at://appview.test'],
    services: {
      bsky_appview: { type: 'BskyAppView', endpoint: at(appviewPort) },
      bsky_notif: { type: 'BskyNotificationService', endpoint: at(appviewPort) },
    },
    prev: null,
  },
  appviewKey,
)
const appviewDid = await plc.didForCreateOp(birth)
await new plc.Client(at(plcPort)).sendOperation(appviewDid, birth)

const appviewDb = { url: dbUrl, schema: 'appview', poolSize: 8 }
const db = new bsky.Database(appviewDb)
const migrations = new bsky.Database({ ...appviewDb, poolSize: 1 })
await migrations.migrateToLatestOrThrow()
await migrations.close()
const dataplane = await bsky.DataPlaneServer.create(db, dataplanePort, at(plcPort), globalThis.fetch)
const bsyncKey = hex(16)
Object.assign(process.env, {
  BSKY_BSYNC_URL: at(bsyncPort),
  BSKY_BSYNC_API_KEY: bsyncKey,
  BSKY_BSYNC_HTTP_VERSION: '1.1',
  BSKY_DATAPLANE_HTTP_VERSION: '1.1',
  MOD_SERVICE_DID: 'did:web:moderation.invalid',
})
const config = bsky.ServerConfig.readEnv({
  version: 'lab',
  port: appviewPort,
  publicUrl: at(appviewPort),
  serverDid: appviewDid,
  didPlcUrl: at(plcPort),
  dataplaneUrls: [at(dataplanePort)],
  adminPasswords: [hex(16)],
  disableSsrfProtection: true, // the PDS is on loopback
})
const appview = bsky.BskyAppView.create({ config, signingKey: appviewKey })
const privateState = await bsync.BsyncService.create(
  bsync.envToCfg({
    port: bsyncPort,
    longPollTimeoutMs: 2000,
    dbUrl,
    dbSchema: 'bsync',
    dbPoolSize: 4,
    apiKeys: [bsyncKey],
  }),
  { dataplaneClients: [appview.ctx.dataplane] },
)
await privateState.ctx.db.migrateToLatestOrThrow()
await privateState.start()
await appview.start()

// ---- PDS -------------------------------------------------------------------------------------------------------------
const jwtSecret = hex(16)
const pdsEnv = {
  port: pdsPort,
  hostname: 'localhost', // the only name under which a PDS publishes itself with http
  devMode: true,
  serviceName: 'Lab PDS',
  serviceHandleDomains: ['.test'],
  dataDirectory: path.join(state, 'pds'),
  blobstoreDiskLocation: path.join(state, 'pds', 'blobs'),
  didPlcUrl: at(plcPort),
  plcRotationKeyK256PrivateKeyHex: hex(32),
  jwtSecret,
  dpopSecret: hex(32),
  adminPassword: hex(16),
  inviteRequired: false,
  enableDidDocWithSession: true, // as the large public hosts do
  bskyAppViewUrl: at(appviewPort),
  bskyAppViewDid: appviewDid,
  bskyAppViewCdnUrlPattern: `${at(appviewPort)}/img/%s/plain/%s/%s`,
  rateLimitsEnabled: true,
  rateLimitBypassKey: 'lab-bypass',
  disableSsrfProtection: true,
  crawlers: [],
}
fs.mkdirSync(pdsEnv.blobstoreDiskLocation, { recursive: true })
const pds = await PDS.create(envToCfg(pdsEnv), envToSecrets(pdsEnv))
// Handles under .test exist in no DNS: the PDS is the authority for them.
for (const { handle: resolver } of [pds.ctx.idResolver, appview.ctx.idResolver, dataplane.idResolver]) {
  resolver.resolve = async (handle) => (await pds.ctx.accountManager.getAccount(handle.toLowerCase()))?.did
}
await pds.start()

// ---- indexing --------------------------------------------------------------------------------------------------------
new bsky.BsyncSubscription({ config, db }).start()
void new bsky.RepoSubscription({ service: `ws://localhost:${pdsPort}`, db, idResolver: dataplane.idResolver }).start()

// ---- people ----------------------------------------------------------------------------------------------------------
const ask = async (method, body, token) => {
  const answer = await fetch(`${at(pdsPort)}/xrpc/${method}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-ratelimit-bypass': pdsEnv.rateLimitBypassKey,
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${method}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}
const accounts = {}
for (const [name, displayName] of Object.entries({ tienda: 'Tienda Sol', ana: 'Ana', luis: 'Luis' })) {
  const handle = `${name}.test`
  const { did, accessJwt } = await ask('com.atproto.server.createAccount', {
    handle,
    password: hex(8),
    email: `${name}@lab.test`,
  })
  const record = { $type: 'app.bsky.actor.profile', displayName, createdAt: new Date().toISOString() }
  const profile = { repo: did, collection: 'app.bsky.actor.profile', rkey: 'self', record }
  await ask('com.atproto.repo.putRecord', profile, accessJwt)
  const { password } = await ask('com.atproto.server.createAppPassword', { name: 'lab', privileged: true }, accessJwt)
  accounts[name] = { handle, did, password }
}
// A profile that the AppView shows means that indexing works from end to end.
const isShown = async ({ did }) =>
  (await fetch(`${at(appviewPort)}/xrpc/app.bsky.actor.getProfile?actor=${encodeURIComponent(did)}`)).ok
for (let i = 0; i < 300 && !(await Promise.all(Object.values(accounts).map(isShown))).every(Boolean); i++) {
  await new Promise((done) => setTimeout(done, 100))
}
fs.writeFileSync(
  path.join(state, 'endpoints.json'),
  JSON.stringify({ pds: at(pdsPort), appview: at(appviewPort), jwtSecret, accounts }),
)
// Whoever started this ends it by closing its input, too.
for (const end of ['end', 'close']) process.stdin.on(end, () => process.exit(0))
process.stdin.resume()
process.on('SIGTERM', () => process.exit(0))
