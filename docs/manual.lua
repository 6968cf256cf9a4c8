-- SPDX-License-Identifier: GPL-2.0-or-later
-- Tables as wide as a manual page's text: pandoc shares out the whole line, to which tbl(1) adds the gaps.
function Table(table)
  for i, column in ipairs(table.colspecs) do
    if column[2] then
      table.colspecs[i] = {column[1], column[2] * 0.85}
    end
  end
  return table
end
