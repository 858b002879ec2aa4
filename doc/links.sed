# For `make docs`: a link to a file that is no page of the site becomes the file's name.
s/\[([^]]*)\]\(([^)#]*\.(cfg|csv|py|c|h)|[^)]*LICENSE|examples|configs)\)/`\1`/g
