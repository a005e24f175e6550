import{allow,count,drop,expr,gre,limit,list,log,policy}from"tidegate"
const p=[8,{a:1}.a],w=""
const s=list(["",""]),e=[""],n=expr`n`
const a=["",""],t=[],g={p:0}
export default policy({customer:"e",prefixes:["203.0.113.0/24","2001:db8:a::/48"],mitigate:[drop("y",expr`ip.hdr_len#
!=9`)],firewall:{default:"drop",rules:[allow("l",expr`ip.hdr_len#
!=9`)]},tunnels:{main:gre({remote:"8.1.1.1"})},routes:[{prefix:"203.0.113.0/24",tunnel:"main"},{prefix:"2001:db8:a::/48",tunnel:"main"}]})