// Talks to a Chat API with the official client: node botpress_chat_client.cjs PACKAGE URL KEY [OPEN_URL]
// Prints one JSON object of what it saw.
const [package_, url, key, openUrl] = process.argv.slice(2)
const chat = require(package_)

const refused = async (work) => {
  try {
    await work()
    return 'taken'
  } catch (error) {
    return error.type ?? error.constructor.name
  }
}

const talk = async (client, metadata) => {
  const { conversation } = await client.createConversation({})
  const listener = await client.listenConversation({ id: conversation.id })
  const heard = new Promise((resolve, reject) => {
    listener.on('message_created', (message) => message.userId !== client.user.id && resolve(message))
    listener.on('error', reject)
  })
  const { message } = await client.createMessage({
    conversationId: conversation.id,
    payload: { type: 'text', text: metadata.message.content },
    metadata,
  })
  const { isBot, ...reply } = await heard
  await listener.disconnect()
  const { messages } = await client.listMessages({ conversationId: conversation.id })
  messages.sort((one, other) => one.createdAt.localeCompare(other.createdAt))
  const [first, second] = messages
  const same = (one, other) => JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort())
  return { isBot, answer: reply.metadata, listed: messages.length === 2 && same(first, message) && same(second, reply) }
}

const main = async () => {
  const asked = { tenant_id: 'TENANT_BICICLETAS', message: { id: 1, type: 'text', content: 'hola' } }
  const keyed = await chat.Client.connect({ apiUrl: url, userId: 'smos-of-the-tests', encryptionKey: key })
  const again = await chat.Client.connect({ apiUrl: url, userId: 'smos-of-the-tests', encryptionKey: key })
  const open = await chat.Client.connect({ apiUrl: openUrl })
  const other = await chat.Client.connect({ apiUrl: openUrl })
  const { conversation } = await open.createConversation({ id: 'mine' })
  return {
    keyed: await talk(keyed, asked),
    sameUser: keyed.user.id === again.user.id,
    open: await talk(open, asked),
    twice: (await open.getOrCreateConversation({ id: 'mine' })).conversation.id === conversation.id,
    refused: {
      wrongKey: await refused(() => chat.Client.connect({ apiUrl: url, userId: 'x', encryptionKey: 'another' })),
      noKey: await refused(() => chat.Client.connect({ apiUrl: url })),
      wrongId: await refused(() => chat.Client.connect({ apiUrl: openUrl, userId: 'in+valid' })),
      sameId: await refused(() => open.createConversation({ id: 'mine' })),
      ofAnother: await refused(() => other.listMessages({ conversationId: 'mine' })),
      unknown: await refused(() => open.getConversation({ id: 'nobodys' })),
    },
  }
}

main().then(
  (seen) => {
    console.log(JSON.stringify(seen))
    process.exit(0)
  },
  (error) => {
    console.error(error)
    process.exit(1)
  }
)
