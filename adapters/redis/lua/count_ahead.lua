-- Count what is before a waiting message; -1 once it is worked on or done.
local box, seq = unpack(ARGV)

return mailbox.count_ahead(box, tonumber(seq))
